// SPDX-License-Identifier: GPL-2.0

//! Where the members of structures are: what the module was compiled with (`include/layout`), for the
//! comparison with another kernel.

use crate::btf;

/// The size (`struct`) or offset (`struct.member`) of that name, in bytes; `None` if there is none.
pub fn place(btf: &btf::File, name: &str) -> Option<u32> {
    match name.split_once('.') {
        Some((name, member)) => btf.offset(name, member),
        None => btf.struct_size(name),
    }
}

/// The lines of a list: structure, members. A line is `struct: member…`; `#` starts a comment.
pub fn lines(list: &str) -> impl Iterator<Item = (&str, &str)> {
    list.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter_map(|line| line.split_once(':'))
}

/// All places that a list names, as [`place`] has them; of a member `a<b` it is `b`.
///
/// # Errors
///
/// Names what is not there.
pub fn places(btf: &btf::File, list: &str) -> Result<Vec<(String, u32)>, String> {
    let mut out = Vec::new();
    for (name, members) in lines(list) {
        let members = members.split_whitespace().map(|member| {
            let member = member.split_once('<').map_or(member, |(_, member)| member);
            format!("{name}.{member}")
        });
        for what in std::iter::once(name.to_owned()).chain(members) {
            let value = place(btf, &what).ok_or(format!("this kernel has no {what}"))?;
            out.push((what, value));
        }
    }
    Ok(out)
}
