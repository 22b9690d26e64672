// SPDX-License-Identifier: GPL-2.0

//! The texts of the rejects: whole, as the log gets them, and each against the kernel's source.

use rust_dynptr_host::logic::{
    argno::ArgNo,
    errno::{
        Errno,
        EFAULT,
        EINVAL,
        ENOMEM,
        ERANGE, //
    },
    reject::{
        write_no_place,
        Diagnostic,
        Message,
        Reject,
        Subject, //
    },
    slot::{
        type_name,
        NoPlace, //
    }, //
};

fn name_of(class_raw: u32) -> &'static [u8] {
    type_name(class_raw).unwrap_or(c"<unknown>").to_bytes()
}

fn subject() -> Subject<'static> {
    Subject {
        arg: ArgNo(-7),
        is: b"an integer scalar",
        type_name: name_of,
    }
}

fn text(message: &Message) -> String {
    let bytes = message.as_bytes_with_nul();
    assert_eq!(bytes.last(), Some(&0));
    String::from_utf8(bytes[..bytes.len() - 1].to_vec()).unwrap()
}

fn log(reject: Reject) -> String {
    let mut message = Message::new();
    reject.write_log(&subject(), &mut message);
    text(&message)
}

fn reason(reject: Reject) -> String {
    let mut message = Message::new();
    reject.write_reason(&subject(), &mut message);
    text(&message)
}

const WRONG_TYPE: Reject = Reject::WrongType {
    expected: 6,
    actual: 2,
};

/// Every reject: its errno and the log's text.
fn all() -> Vec<(Reject, Errno, &'static str)> {
    let constant = NoPlace::NotConstant;
    let offset = NoPlace::BadOffset(-20);
    let unallocated = NoPlace::OutOfStack;
    vec![
        (
            Reject::OverwriteReferenced,
            EINVAL,
            "cannot overwrite referenced dynptr\n",
        ),
        (
            Reject::NoPlace(constant),
            EINVAL,
            "dynptr has to be at a constant offset\n",
        ),
        (
            Reject::NoPlace(offset),
            EINVAL,
            "cannot pass in dynptr at an offset=-20\n",
        ),
        (Reject::NoPlace(unallocated), ERANGE, ""),
        (
            Reject::NotADynptr,
            EINVAL,
            "*(R11-16) expected pointer to stack or const struct bpf_dynptr\n",
        ),
        (
            Reject::NotConstructible(None),
            EINVAL,
            "Dynptr has to be an uninitialized dynptr\n",
        ),
        (
            Reject::NotConstructible(Some(constant)),
            EINVAL,
            "dynptr has to be at a constant offset\nDynptr has to be an uninitialized dynptr\n",
        ),
        (
            Reject::ConstReleased,
            EINVAL,
            "CONST_PTR_TO_DYNPTR cannot be released\n",
        ),
        (
            Reject::NotInitialized(None),
            EINVAL,
            "Expected an initialized dynptr as *(R11-16)\n",
        ),
        (
            Reject::NotInitialized(Some(unallocated)),
            EINVAL,
            "Expected an initialized dynptr as *(R11-16)\n",
        ),
        (
            Reject::NotInitialized(Some(offset)),
            EINVAL,
            "cannot pass in dynptr at an offset=-20\nExpected an initialized dynptr as *(R11-16)\n",
        ),
        (
            WRONG_TYPE,
            EINVAL,
            "Expected a dynptr of type file as *(R11-16)\n",
        ),
        (Reject::NoType, EINVAL, ""),
        (Reject::SeveralParents(2), EFAULT, ""),
        (
            Reject::ChildLeaks { id: 4, insn: 31 },
            EINVAL,
            "Leaking reference id=4 alloc_insn=31. Release it first.\n",
        ),
        (Reject::NoReference, EINVAL, ""),
        (Reject::TooManyIds, EFAULT, ""),
        (Reject::NoMemory, ENOMEM, ""),
        (
            Reject::BadSlot,
            EFAULT,
            "verifier bug: dynptr slot outside of the stack\n",
        ),
        (
            Reject::StackSlice,
            EINVAL,
            "R3 must not point to the stack: the slice may be that buffer (rust_dynptr)\n",
        ),
    ]
}

#[test]
fn log_and_errno_of_every_reject() {
    for (reject, errno, expected) in all() {
        assert_eq!(log(reject), expected, "{reject:?}");
        assert_eq!(reject.errno(), errno, "{reject:?}");
    }
}

#[test]
fn reasons_name_the_argument_and_the_types() {
    assert_eq!(
        reason(Reject::NotADynptr),
        "a dynptr argument must be a pointer to a dynptr stack slot or a verifier-provided const \
         struct bpf_dynptr, but *(R11-16) is an integer scalar"
    );
    assert_eq!(
        reason(WRONG_TYPE),
        "the dynptr is initialized with backing object type ringbuf, but this operation expects \
         dynptr type file"
    );
    assert_eq!(reason(Reject::ConstReleased), "");
}

/// The type that the kernel has no name for.
#[test]
fn heap_dynptrs_have_a_name_of_ours() {
    let reject = Reject::WrongType {
        expected: 7,
        actual: 1,
    };
    assert_eq!(
        log(reject),
        "Expected a dynptr of type malloc as *(R11-16)\n"
    );
    assert_eq!(
        reason(reject),
        "the dynptr is initialized with backing object type local, but this operation expects \
         dynptr type malloc"
    );
}

/// Who gets which diagnostic: a resource, an argument, or none. C's texts are compared below, and of Rust's
/// own reject it must be about the buffer.
#[test]
fn diagnostics_are_for_what_c_diagnoses() {
    for (reject, _, _) in all() {
        let kind = match reject.diagnostic() {
            Some(Diagnostic::Resource { problem, .. }) => problem.to_str().unwrap(),
            Some(Diagnostic::Argument { .. }) => "an argument",
            None => "none",
        };
        let expected = match reject {
            Reject::OverwriteReferenced => "referenced dynptr overwrite",
            Reject::NotConstructible(_) => "dynptr is already initialized",
            Reject::ConstReleased => "const dynptr release",
            Reject::NotInitialized(_) => "uninitialized dynptr use",
            Reject::StackSlice => "dynptr slice over a stack buffer",
            Reject::NotADynptr | Reject::WrongType { .. } => "an argument",
            _ => "none",
        };
        assert_eq!(kind, expected, "{reject:?}");
    }
}

#[test]
fn the_longest_reason_fits() {
    let words = "x".repeat(319);
    let subject = Subject {
        is: words.as_bytes(),
        ..subject()
    };
    let mut message = Message::new();
    Reject::NotADynptr.write_reason(&subject, &mut message);
    assert!(text(&message).ends_with(&format!(" is {words}")));
}

#[test]
fn iterators_and_irq_flags_have_the_same_words() {
    for kind in ["iter", "irq_flag"] {
        let mut message = Message::new();
        write_no_place(NoPlace::BadOffset(-4), kind.as_bytes(), &mut message);
        assert_eq!(
            text(&message),
            format!("cannot pass in {kind} at an offset=-4\n")
        );
    }
}

/// The kernel's source, if this runs where it is (scripts/build/enter): string literals joined, `\n` as in C.
fn kernel_source() -> Option<String> {
    let source = std::fs::read_to_string("/kdir/kernel/bpf/verifier.c").ok()?;
    Some(source.replace("\\n", "\n"))
}

/// Whether a text with the values of its conversions is one of the source's format strings.
fn is_in(source: &str, text: &str) -> bool {
    let format = text
        .replace("*(R11-16)", "%s")
        .replace("an integer scalar", "%s")
        .replace("type ringbuf", "type %s")
        .replace("type file", "type %s")
        .replace("in dynptr", "in %s")
        .replace("offset=-20", "offset=%d")
        .replace("id=4", "id=%d")
        .replace("insn=31", "insn=%d");
    let format = match format.strip_prefix("dynptr has") {
        Some(rest) => format!("%s has{rest}"),
        None => format,
    };
    source.contains(&format!("\"{format}\""))
}

#[test]
fn texts_are_the_kernels() {
    let Some(source) = kernel_source() else {
        eprintln!("no kernel source here: not compared");
        return;
    };
    for (reject, _, log) in all() {
        // Rust's own: C has no such checks.
        if [Reject::BadSlot, Reject::StackSlice].contains(&reject) {
            continue;
        }
        for line in log.split_inclusive('\n') {
            assert!(is_in(&source, line), "not in verifier.c: {line}");
        }
        let texts = match reject.diagnostic() {
            Some(Diagnostic::Resource {
                problem,
                reason,
                suggestion,
            }) => vec![problem, reason, suggestion],
            Some(Diagnostic::Argument { suggestion }) => {
                assert!(is_in(&source, &reason(reject)), "{reject:?}");
                vec![suggestion]
            }
            None => vec![],
        };
        for text in texts {
            let text = text.to_str().unwrap();
            assert!(is_in(&source, text), "not in verifier.c: {text}");
        }
    }
}
