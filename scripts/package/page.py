# SPDX-License-Identifier: GPL-2.0
# page.py RST: RST, which the kernel's kernel-doc has made of a header, as one manual page; see scripts/package/man.
# docutils reads and writes it; what is here gives the page its form: DOC comments are sections, functions and types
# entries of a list, with what belongs to each below it.
import re
import sys

from docutils import core, nodes
from docutils.parsers.rst import Directive, directives
from docutils.writers import manpage


class Entry(Directive):
    """c:function, c:struct and c:union, which are Sphinx' own: the declaration, and in short what it is."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self):
        kind = self.name.partition(":")[2]
        text = self.arguments[0].replace(" (", "(").replace("* ", "*")
        if kind != "function":
            text = f"{kind} {text}"
        # The names of arguments are for the caller to fill in.
        parts = re.split(r"((?<=[ *])\w+(?=[,)]))", text)
        styles = (nodes.strong, nodes.emphasis)
        term = [styles[i % 2]("", part) for i, part in enumerate(parts) if part]
        entry = item(term)
        entry["kind"] = "kfuncs" if kind == "function" else "types"
        short = " ".join(self.content)
        entry[1] += nodes.paragraph("", f"{short[0].upper()}{short[1:]}.")
        return [entry]


def item(term):
    """An item of a definition list, its definition empty still."""
    return nodes.definition_list_item("", nodes.term("", "", *term), nodes.definition())


def title(node):
    """The text of a paragraph that is bold as a whole, without the colon that announces code."""
    if isinstance(node, nodes.paragraph) and isinstance(node[0], nodes.strong):
        text = node[0].astext()
        return text if node.astext() in (text, f"{text}:") else None
    return None


def grouped(children):
    """What belongs to an entry, by its titles: Parameters, Description, Context, Return."""
    parts = nodes.definition_list()
    for child in children:
        if title(child):
            parts += item([nodes.strong("", title(child))])
        elif len(parts):
            parts[-1][1] += child
        else:
            yield child
    if len(parts):
        yield parts


def flat(children):
    """The same nodes, those of containers in their place."""
    for child in children:
        if isinstance(child, nodes.container):
            yield from child.children
        else:
            yield child


def form(document):
    """Sections and lists of what kernel-doc leaves one after the other."""
    rest, place, entry, labelled = list(flat(document.children)), document, None, False
    document.children = []
    for node in [*rest, None]:
        if entry and (node is None or isinstance(node, (nodes.definition_list_item, nodes.target))):
            entry[1].children = list(grouped(entry[1].children))
            entry = None
        if node is None:
            return
        if isinstance(node, nodes.definition_list_item):
            if place.get("kind") != node["kind"]:
                place = nodes.section("", nodes.title("", node["kind"]), nodes.definition_list(), kind=node["kind"])
                document += place
            entry = node
            place[-1] += entry
        elif isinstance(node, nodes.target):
            labelled = True
        elif labelled:
            place = nodes.section("", nodes.title("", title(node)))
            document += place
            labelled = False
        else:
            (entry[1] if entry else place).append(node)


def embolden(document):
    """function() in running text is bold."""
    for text in list(document.findall(nodes.Text)):
        if isinstance(text.parent, nodes.paragraph):
            parts = re.split(r"(\w+\(\))", text)
            text.parent.replace(text, [nodes.strong("", p) if i % 2 else nodes.Text(p) for i, p in enumerate(parts) if p])


def main(rst):
    for name in ("function", "struct", "union"):
        directives.register_directive(f"c:{name}", Entry)
    with open(rst, encoding="utf-8") as file:
        # What is wrong in a comment stops it.
        tree = core.publish_doctree(file.read(), settings_overrides={"halt_level": 2})
    form(tree)
    embolden(tree)
    print(core.publish_from_doctree(tree, writer=manpage.Writer(), settings_overrides={"output_encoding": "unicode"}), end="")


main(sys.argv[1])
