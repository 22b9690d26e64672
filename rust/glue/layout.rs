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
        insn_idx = INSN_IDX, prog = PROG, cur_state = CUR_STATE, used_maps = USED_MAPS,
        used_map_cnt = USED_MAP_CNT, used_btfs = USED_BTFS,
        used_btf_cnt = USED_BTF_CNT, id_gen = ID_GEN, allow_ptr_leaks = ALLOW_PTR_LEAKS,
        bpf_capable = BPF_CAPABLE, scratched_stack_slots = SCRATCHED_STACK_SLOTS
    }
    bpf_verifier_state {
        frame = FRAME, refs = REFS, curframe = CURFRAME, acquired_refs = ACQUIRED_REFS,
        speculative = SPECULATIVE
    }
    bpf_func_state {
        regs = REGS, callback_ret_range = CALLBACK_RET_RANGE, in_callback_fn = IN_CALLBACK_FN,
        stack = STACK, allocated_stack = ALLOCATED_STACK, out_stack_arg_cnt = OUT_STACK_ARG_CNT,
        stack_arg_regs = STACK_ARG_REGS
    }
    bpf_reference_state {
        type_ = TYPE, id = ID, insn_idx = INSN_IDX, __bindgen_anon_1 = PARENT_ID
    }
    bpf_idmap { cnt = CNT, map = MAP }
    ref_obj_desc { id = ID, cnt = CNT }
    bpf_dynptr_desc { type_ = TYPE, id = ID, parent_id = PARENT_ID }
    bpf_stack_state { spilled_ptr = SPILLED_PTR, slot_type = SLOT_TYPE }
    bpf_reg_state {
        type_ = TYPE, var_off = VAR_OFF, id = ID, parent_id = PARENT_ID, precise = PRECISE
    }
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

// Members of anonymous unions, which bindgen names by position.
const _: () = {
    let union_at = offset_of!(bindings::bpf_reg_state, __bindgen_anon_1);
    assert!(union_at == layout::bpf_reg_state::DYNPTR);
    assert!(union_at == layout::bpf_reg_state::FRAMENO);
    let union_at = offset_of!(bindings::bpf_verifier_env, __bindgen_anon_1);
    assert!(union_at == layout::bpf_verifier_env::IDMAP_SCRATCH);
};
