"""Identifiers around a cursor, from text alone."""

from __future__ import annotations

import pytest

from qwen_lsp.context.names import declared_type, identifiers, near, receiver_types, renamed_imports
from qwen_lsp.syntax.languages import by_id
from qwen_lsp.syntax.parse import parse
from qwen_lsp.syntax.tags import extract


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


@pytest.mark.parametrize(
    ("header", "name", "expected"),
    [
        ("def get_logger(name: str) -> Adapter:", "get_logger", "Adapter"),
        ("    @property\n    def env(self) -> 'Environment':", "env", "Environment"),
        ("    config: Config", "config", "Config"),
        ("    self.env = Environment(app)", "env", "Environment"),
        ("func NewFoo(a *Bar) (*Foo, error) {", "NewFoo", "Foo"),
        ("func (s *S) Get(f func(x int) Bar) Foo {", "Get", "Foo"),
        ("func Get(a int) {", "Get", ""),
        ("\tstore *Store", "store", "Store"),
        ("public final List<Foo> getFoos(int a) {", "getFoos", "Foo"),
        ("struct foo *get_foo(int x);", "get_foo", "foo"),
        ("fn get(&self) -> Option<Arc<Foo>> {", "get", "Foo"),
        ("  get(a: string): Promise<Foo> {", "get", "Foo"),
        ("fun get(a: Int): Foo {", "get", "Foo"),
        ("  private readonly foo: FooService;", "foo", "FooService"),
        ("    public function get(string $a): Foo", "get", "Foo"),
        ("def run(self) -> None:", "run", ""),
        ("def run(self):", "run", ""),
    ],
)
def test_types_that_a_header_declares(header: str, name: str, expected: str) -> None:
    assert declared_type(header, name) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "import a.b as c\nfrom x import (\n    y as z,\n    w)\n", {"c": "b", "z": "y"}),
        ("python", "import os\nwith open(p) as f: ...\n", {}),
        ("typescript", "import * as Z from './lib/x';\nimport {a as b} from './y';\n", {"Z": "x", "b": "a"}),
        ("javascript", "const fs = require('./lib/files');\n", {"fs": "files"}),
        ("go", 'package p\nimport (\n\tz "a/b/x"\n\t"k/l"\n)\n', {"z": "x"}),
        ("rust", "use a::b as z;\nuse a::{c as d, e};\n", {"z": "b", "d": "c"}),
        ("php", "<?php use A\\B as C;", {"C": "B"}),
        ("kotlin", "import a.b.C as D\n", {"D": "C"}),
        ("scala", "import a.b.{C => D}\n", {"D": "C"}),
        ("csharp", "using X = A.B.C;\nusing D.E;\n", {"X": "C"}),
    ],
)  # fmt: skip
def test_names_that_imports_give(language: str, text: str, expected: dict[str, str]) -> None:
    grammar = by_id(language)
    assert grammar is not None
    imports = extract(parse(text, grammar)).imports
    assert renamed_imports(text, imports) == expected


def test_a_renamed_name_counts_as_what_it_stands_for() -> None:
    found = near("nx.degree(nx)", 13, {"nx": "networkx"})
    assert found["degree"].receiver == "networkx"
    assert "networkx" in found
    assert "nx" not in found
