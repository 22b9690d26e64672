// SPDX-License-Identifier: GPL-2.0

//! Asserts that the structures as bindgen reads them from the headers are those of the target
//! kernel's BTF: sizes, and the offset of every member that we touch. A kernel that was built with
//! other options than its headers say does not pass.

use crate::bindings::{
    self,
    layout, //
};
use core::mem::{
    offset_of,
    size_of, //
};

macro_rules! same {
    ($($name:ident { $($member:ident = $constant:ident),* })*) => {
        $(const _: () = {
            assert!(size_of::<bindings::$name>() == layout::$name::SIZE_OF);
            $(assert!(offset_of!(bindings::$name, $member) == layout::$name::$constant);)*
        };)*
    };
}

same! {
    bpf_prog { len = LEN, aux = AUX }
    bpf_verifier_env {
        insn_idx = INSN_IDX, prog = PROG, cur_state = CUR_STATE, used_btfs = USED_BTFS,
        used_btf_cnt = USED_BTF_CNT, scratched_stack_slots = SCRATCHED_STACK_SLOTS
    }
    bpf_verifier_state { frame = FRAME, curframe = CURFRAME }
    bpf_func_state { allocated_stack = ALLOCATED_STACK, stack = STACK }
    bpf_stack_state { spilled_ptr = SPILLED_PTR, slot_type = SLOT_TYPE }
    bpf_reg_state { id = ID, parent_id = PARENT_ID }
    bpf_dynptr_kern { data = DATA, size = SIZE, offset = OFFSET }
    bpf_prog_aux {
        used_btfs = USED_BTFS, used_btf_cnt = USED_BTF_CNT, name = NAME, kfunc_tab = KFUNC_TAB
    }
    bpf_kfunc_desc { addr = ADDR }
    btf_mod_pair { btf = BTF, module = MODULE }
    skb_frag { netmem = NETMEM, len = LEN, offset = OFFSET }
    freader { buf = BUF, buf_sz = BUF_SZ, err = ERR }
    ftrace_ops { func = FUNC, private = PRIVATE, flags = FLAGS }
    klp_patch { mod_ = MOD, objs = OBJS, enabled = ENABLED }
    klp_object { funcs = FUNCS }
    klp_func { old_name = OLD_NAME, new_func = NEW_FUNC }
    kprobe {
        symbol_name = SYMBOL_NAME, pre_handler = PRE_HANDLER, post_handler = POST_HANDLER,
        flags = FLAGS
    }
    pt_regs { ip = IP }
}

// The dynptr mark is in an anonymous union, which bindgen names by position.
const _: () = {
    let union_at = offset_of!(bindings::bpf_reg_state, __bindgen_anon_1);
    assert!(union_at == layout::bpf_reg_state::DYNPTR);
};
