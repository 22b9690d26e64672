# help2page.awk: the text that `rust-dynptr --help` prints, as a manual page; see scripts/package/man. Sections begin in column
# 0, their text is indented by 4; a line that text indented by 8 follows is what that text is about.

# Options and code in bold, hyphens as they are typed.
function marked(text,    out, n, words, i, word) {
	gsub(/\\/, "\\e", text)
	n = split(text, words, " ")
	for (i = 1; i <= n; i++) {
		word = words[i]
		if (match(word, /^(--?[a-zA-Z][a-z-]*|\/(sys|proc|dev)\/[a-z_\/]*|[a-z-]+\([1-9]\))/))
			word = "\\fB" plain(substr(word, 1, RLENGTH)) "\\fP" substr(word, RLENGTH + 1)
		out = out (i > 1 ? " " : "") word
	}
	return guarded(out)
}

function plain(text) { gsub(/-/, "\\-", text); return text }

# A line that begins like a request is none.
function guarded(text) { return text ~ /^[.']/ ? "\\&" text : text }

# "rust-dynptr load [MODULE]": words in capitals are for the user to fill in.
function command(text,    out) {
	gsub(/\\/, "\\e", text)
	text = plain(text)
	while (match(text, /[A-Z]+/)) {
		out = out bold(substr(text, 1, RSTART - 1)) "\\fI" substr(text, RSTART, RLENGTH) "\\fP"
		text = substr(text, RSTART + RLENGTH)
	}
	return out bold(text)
}

function bold(text) { return text == "" ? "" : "\\fB" text "\\fP" }

# Prints the line before this one, now that it is known what follows.
function flush(next_indent) {
	if (held == "")
		return
	if (section == "SYNOPSIS")
		print command(held) "\n.br"
	else if (section == "NAME") {
		sub(/ - /, " \\- ", held)
		print held
	} else if (next_indent >= 8)
		print ".TP\n" command(held)
	else
		print marked(held)
	held = ""
}

BEGIN {
	print ".\\\" Made by scripts/package/man of what scripts/rust-dynptr prints: do not edit."
	print ".\\\" SPDX-License-Identifier: GPL-2.0"
	print ".TH RUST-DYNPTR 8 \"\" \"rust_dynptr\" \"System Manager's Manual\""
}

!length($0) { flush(0); gap = 1; next }
{
	match($0, /^ */)
	indent = RLENGTH
	flush(indent)
	if (indent == 0) {
		section = $0
		print ".SH " section
	} else if (indent < 8) {
		if (gap && section == "DESCRIPTION")
			print ".PP"
		held = substr($0, indent + 1)
	} else
		print marked(substr($0, indent + 1))
	gap = 0
}
END { flush(0) }
