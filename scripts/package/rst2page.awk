# rst2page.awk: the reStructuredText of the kernel's kernel-doc, as one manual page; see scripts/package/man. Variables:
# name, header, text: what it is called, made of, about.

# Text with its markup: ``code'' and functions bold, **parameters** italic.
function marked(text,    out) {
	gsub(/\\/, "\\e", text)
	while (match(text, /``[^`]+``|\*\*[A-Za-z_][A-Za-z0-9_]*\*\*|[A-Za-z_][A-Za-z0-9_]*\(\)/)) {
		out = out substr(text, 1, RSTART - 1)
		part = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		if (part ~ /^``/) {
			part = substr(part, 3, length(part) - 4)
			gsub(/-/, "\\-", part)
			out = out "\\fB" part "\\fP"
		} else if (part ~ /^\*\*/)
			out = out "\\fI" substr(part, 3, length(part) - 4) "\\fP"
		else
			out = out "\\fB" part "\\fP"
	}
	return guarded(out text)
}

# A line that begins like a request is none.
function guarded(text) { return text ~ /^[.']/ ? "\\&" text : text }

function code(text) {
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	return guarded(text)
}

# "type *name(type a, type b)": the names of arguments italic.
function prototype(text,    open, args, n, i, out) {
	sub(/ \(/, "(", text)
	gsub(/\* /, "*", text)
	open = index(text, "(")
	if (!open)
		return "\\fB" text "\\fP"
	n = split(substr(text, open + 1, length(text) - open - 1), args, /, */)
	out = "\\fB" substr(text, 1, open) "\\fP"
	for (i = 1; i <= n; i++) {
		if (match(args[i], /[A-Za-z_][A-Za-z0-9_]*$/) && RSTART > 1)
			args[i] = "\\fB" substr(args[i], 1, RSTART - 1) "\\fP\\fI" substr(args[i], RSTART) "\\fP"
		else
			args[i] = "\\fB" args[i] "\\fP"
		out = out args[i] (i < n ? "\\fB,\\fP " : "")
	}
	return out "\\fB)\\fP"
}

function end_items() { if (items) print ".RE"; items = 0 }
function end_entry() { end_items(); if (entry) print ".RE"; entry = 0 }
function section(title) { end_entry(); print ".SH " toupper(title); heading = title; fresh = 1 }

# A tagged part of an entry.
function part_of(title) { end_items(); print ".TP\n.B " title; fresh = 1; current = title }

# What a function or structure is, in short; opens its parts.
function finish_purpose() {
	print marked(toupper(substr(purpose_text, 1, 1)) substr(purpose_text, 2) ".")
	print ".RS"
	purpose = 0
	purpose_text = ""
}

# What stands between two paragraphs.
function paragraph() { if (!fresh) print entry ? ".IP" : ".PP"; fresh = 1 }

function item(how) {
	if (!items)
		print ".RS"
	items = 1
	print how
	fresh = 1
}

BEGIN {
	print ".\\\" Made by scripts/package/man of " header ": do not edit."
	print ".\\\" SPDX-License-Identifier: GPL-2.0"
	print ".TH " toupper(name) " 7 \"\" \"rust_dynptr\" \"Miscellaneous Information Manual\""
	print ".SH NAME\n" name " \\- " text
}

{
	sub(/[ \t]+$/, "")
	match($0, /^ */)
	indent = RLENGTH
}

# Literal text goes on as long as it is further to the right.
literal && (!length($0) || indent > literal_base) {
	if (!length($0)) {
		gap = 1
		next
	}
	if (!in_code) {
		if (!fresh)
			print entry ? ".IP" : ".PP"
		print ".EX"
		margin = indent
	} else if (gap)
		print ""
	in_code = 1
	gap = 0
	print code(substr($0, margin + 1))
	next
}
literal {
	print ".EE"
	literal = in_code = gap = fresh = 0
	separate = 1
}

!length($0) { separate = 1; next }
/^\.\. _/ { is_doc = 1; next }
is_doc && /^\*\*.*\*\*$/ { section(substr($0, 3, length($0) - 4)); is_doc = separate = 0; next }

/^\.\. c:[a-z]+:: / {
	kind = $2 == "c:function::" ? "kfuncs" : "types"
	text = substr($0, index($0, ":: ") + 3)
	if (heading != kind)
		section(kind)
	end_entry()
	print ".TP\n" prototype((kind == "types" ? substr($2, 3, length($2) - 4) " " : "") text)
	entry = purpose = 1
	current = ""
	separate = 0
	next
}
/^\.\. container::/ { if (purpose_text) finish_purpose(); separate = 0; next }
purpose { sub(/^ */, ""); purpose_text = purpose_text (purpose_text ? " " : "") $0; next }

entry && /^ *\*\*[A-Z][a-z]+\*\*(::)?$/ {
	literal_base = indent
	literal = /::$/
	gsub(/^ *\*\*|\*\*(::)?$/, "")
	part_of($0)
	separate = 0
	next
}
entry && /^ *``[^`]+``$/ && (current == "Parameters" || current == "Members") {
	gsub(/^ *``|``$/, "")
	item(".TP\n.I " $0)
	separate = 0
	next
}
/^ *\* / {
	sub(/^ *\* /, "")
	item(".IP \\(bu 2")
	print marked($0)
	fresh = separate = 0
	next
}
{
	if (separate) {
		if (items && current != "Parameters" && current != "Members")
			end_items()
		paragraph()
	}
	separate = 0
	if (/::$/) {
		literal = 1
		literal_base = indent
		sub(/:$/, "")
	}
	sub(/^ */, "")
	print marked($0)
	fresh = 0
}

END {
	if (literal && in_code)
		print ".EE"
	section("see also")
	print ".BR bpf (2),\n.BR bpf\\-helpers (7)"
	print ".PP\nThe header \\fIinclude/rust_dynptr.bpf.h\\fP; an example: \\fIselftests/demos/lines.bpf.c\\fP."
}
