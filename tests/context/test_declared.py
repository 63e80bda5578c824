"""What a text declares about types, as each language says it."""

from __future__ import annotations

import pytest

from qwen_lsp.context.declared import declared_type, receiver_types


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


HOSTILE = [
    "fn f; \nName" + "</b></i></td></tr>" * 400 + ".",
    "x;`\nName" + "</td><td>x</td></tr><tr>" * 400,
    "func a(\n" + " " * 30_000 + "x",
    "func a(\n" + (" " * 2_000 + "\n") * 15,
    ";a" + "\n " * 5_000,
    "auto f(a<b><c><d>" + "<x>" * 5_000 + "!)",
    "/" + "*" * 20_000 + "/ f(",
    "a" * 30_000 + ";",
    "a." * 15_000 + "(;",
    "x: " + "Option<" * 5_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_made_to_be_slow_is_read_like_any_other(text: str) -> None:
    """Each of these took seconds or for ever once: a pattern with two ways to read the same text."""
    receiver_types(text)
    declared_type(text, "f")


def test_types_with_arguments() -> None:
    assert receiver_types("void f(Foo<A> a, Bar<B> b);") == {"a": "Foo", "b": "Bar"}
    assert receiver_types("  Cache<Key, Seq<Value>, More> z;") == {"z": "Cache"}
    assert receiver_types("a = Foo()\r\n\r\nb = Bar()\r\n") == {"a": "Foo", "b": "Bar"}
