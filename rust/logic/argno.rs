// SPDX-License-Identifier: GPL-2.0

//! Which argument of a call: `argno_t` of `srctree/kernel/bpf/verifier.c`. Registers are named by
//! their number or, as arguments are, by their place; arguments after the fifth are on the stack.

use super::{
    codes::{
        REGISTER_ARGS,
        SLOT_BYTES, //
    },
    text::Text, //
};

/// Room for the name of an argument: `tmp_arg_name` of the verifier.
pub const NAME_CAPACITY: usize = 32;

/// An argument: `argno_t`. A register's number, or minus an argument's place, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgNo(pub i32);

/// An argument as the diagnostics want it (`bpf_diag_call_arg()`); -1 for what it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its place among the arguments, from 1.
    pub arg: i32,
    /// Its register.
    pub register: i32,
    /// Its place among those on the stack, from 0.
    pub on_stack: i32,
}

impl ArgNo {
    /// `reg_from_argno()`: the register, or -1 if it is on the stack.
    const fn register(self) -> i32 {
        if self.0 >= 0 {
            self.0
        } else if self.0 >= -REGISTER_ARGS {
            self.0.wrapping_neg()
        } else {
            -1
        }
    }

    /// `arg_from_argno()`: the place among the arguments, or -1 if it is named by its register.
    const fn place(self) -> i32 {
        if self.0 < 0 {
            self.0.wrapping_neg()
        } else {
            -1
        }
    }

    /// Appends its name: `reg_arg_name()`.
    pub fn write_name<const N: usize>(self, out: &mut Text<N>) {
        let register = self.register();
        if register >= 0 {
            out.push(b"R");
            out.push_signed(register);
        } else {
            let offset = self
                .place()
                .wrapping_sub(REGISTER_ARGS)
                .wrapping_mul(SLOT_BYTES);
            out.push(b"*(R11-");
            out.push_unsigned(offset as u32);
            out.push(b")");
        }
    }

    /// Where it is, for the diagnostics.
    pub const fn position(self) -> Position {
        let register = self.register();
        let mut arg = self.place();
        if arg < 0 && 1 <= register && register <= REGISTER_ARGS {
            arg = register;
        }
        Position {
            arg,
            register,
            on_stack: if arg > REGISTER_ARGS {
                arg.wrapping_sub(REGISTER_ARGS).wrapping_sub(1)
            } else {
                -1
            },
        }
    }
}
