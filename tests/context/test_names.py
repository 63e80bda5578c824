"""Identifiers around a cursor, from text alone."""

from __future__ import annotations

import pytest

from qwen_lsp.context.names import identifiers, near, receiver_types


def test_nearer_names_weigh_more_and_words_of_the_language_nothing() -> None:
    text = "far = 1\n\n\n\n\n\n\nclose.call(here)\n"
    found = near(text, len(text) - 1)
    assert found["close"].weight > found["far"].weight
    assert found["call"].dotted
    assert found["call"].called
    assert found["call"].receiver == "close"
    assert not found["here"].dotted
    assert near("return self\n", 0) == {}
    assert list(near("pla net", 2)) == ["pl", "net"], "what is behind the cursor in a word is not a name"


def test_types_of_receivers() -> None:
    text = "a = pkg.Foo(1)\nlet b: Bar = x;\nself.c = await Baz(2)\nconst d = new n.Qux()\ndef f(e: 'L8')\n"
    assert receiver_types(text) == {"a": "Foo", "b": "Bar", "c": "Baz", "d": "Qux", "e": "L8"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "func (r *Recv) Do(ctx ctx.Context, n int) error {\n\tx := pkg.NewThing(1)\n\tvar s *Server\n}",
            {"r": "Recv", "ctx": "Context", "x": "Thing", "s": "Server"},
        ),
        (
            "func f() {}\ntype T struct {\n\topt []*Options\n\tn int // count\n}\n",
            {"opt": "Options"},
        ),
        (
            "let x = Foo::new(1);\nfn f(doc: &'a mut Document, ed: Option<Arc<Editor>>) {",
            {"x": "Foo", "doc": "Document", "ed": "Editor"},
        ),
        (
            "private final Inj injector;\nvoid f(Key<T> key) {\nList<Bind> all = x;\nfor (Foo foo : all) {",
            {"injector": "Inj", "key": "Key", "all": "Bind", "foo": "Foo"},
        ),
        (
            "int f(struct client *c, const robj *o) {\n    dictEntry *de = dictFind(d);\n    return de;\n",
            {"c": "client", "o": "robj", "de": "dictEntry"},
        ),
        (
            "std::unique_ptr<Foo> p = make();\nvoid f(const std::vector<Bar>& v) {",
            {"p": "Foo", "v": "Bar"},
        ),
        ("function f(Foo $x) { $z = new Qux(1);", {"x": "Foo", "z": "Qux"}),
        ("@x = Foo.new\ny = A::B.new(1)\n", {"x": "Foo", "y": "B"}),
        (
            "constructor(private readonly svc: Svc, opt?: Opt, later!: Promise<Foo>) {}",
            {"svc": "Svc", "opt": "Opt", "later": "Foo"},
        ),
    ],
)
def test_types_of_receivers_as_each_language_says_them(text: str, expected: dict[str, str]) -> None:
    assert receiver_types(text) == expected


def test_identifiers_in_order_each_once() -> None:
    assert identifiers("class A(B, C[D], B): pass") == ["A", "B", "C", "D"]
