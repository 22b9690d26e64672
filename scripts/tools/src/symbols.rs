// SPDX-License-Identifier: GPL-2.0

//! The list of unexported kernel symbols (`scripts/build/klp-symbols`): `name[,position] [prototype]`.

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The kernel's function.
    pub name: String,
    /// Its position among the symbols of that name: 0 if there is one only, else from 1.
    pub position: u32,
    /// Its prototype, if the list states it.
    pub proto: Option<String>,
}

/// Reads the list; `#` starts a comment.
///
/// # Errors
///
/// Names the line that has no number where a position should be.
pub fn parse(text: &str) -> Result<Vec<Symbol>, String> {
    let mut symbols = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let (head, proto) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let (name, position) = match head.split_once(',') {
            Some((name, position)) => (
                name,
                position
                    .parse()
                    .map_err(|_| format!("line {}: no position in '{line}'", number + 1))?,
            ),
            None => (head, 0),
        };
        let proto = proto.trim();
        symbols.push(Symbol {
            name: name.to_owned(),
            position,
            proto: (!proto.is_empty()).then(|| proto.to_owned()),
        });
    }
    Ok(symbols)
}
