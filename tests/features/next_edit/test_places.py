"""Which edits call for others, where, and what is computed for the place."""

from __future__ import annotations

import pytest

from qwen_lsp.features.next_edit.places import next_places
from qwen_lsp.workspace.paths import RelPath
from tests.features.next_edit.editing import edited, offers
from tests.support.fixture import workspace

SHOP = """
#- shop/price.py
def total(items):
    return sum(items)


def receipt(items):
    return f"{total(items)} of {len(items)}"
#- shop/till.py
from shop.price import total


def ring(items):
    # The total is shown.
    print("total", total(items))
#- other/report.py
from shop.price import total

print(total([1]))
"""


def test_a_renamed_function_is_followed_in_its_file_and_then_in_the_nearest_others() -> None:
    assert offers(SHOP, ("shop/price.py", "total", "grand_total")) == [
        'shop/price.py:6: return f"{grand_total(items)} of {len(items)}"',
        "shop/till.py:1: from shop.price import grand_total",
        'shop/till.py:6: print("total", grand_total(items))',
        "other/report.py:1: from shop.price import grand_total",
        "other/report.py:3: print(grand_total([1]))",
    ]


def test_a_name_that_others_have_too_is_followed_only_where_it_is_imported() -> None:
    text = SHOP + "#- bank/sums.py\ndef total(rows):\n    return 0\n\n\nprint(total([]))\n"
    found = offers(text, ("shop/price.py", "total", "grand_total"))
    assert not [line for line in found if line.startswith("bank/")]
    assert "other/report.py:3: print(grand_total([1]))" in found


def test_a_method_is_followed_on_its_own_object_when_others_have_one_of_that_name() -> None:
    text = """
    #- a.py
    class Cart:
        def clear(self):
            pass

        def leave(self, seen):
            self.clear()
            seen.clear()
    #- b.py
    class Desk:
        def clear(self):
            pass
    """
    assert offers(text, ("a.py", "def clear", "def empty")) == ["a.py:6: self.empty()"]


def test_a_field_is_not_a_variable_of_the_same_name() -> None:
    text = """
    #- a.py
    class Box:
        def __init__(self, width):
            self.width = width

        def area(self):
            width = self.width
            return width * width
    """
    assert offers(text, ("a.py", "self.width", "self.w")) == ["a.py:6: width = self.w"]


def test_a_definition_that_became_another_one_was_not_renamed() -> None:
    text = """
    #- a.py
    def load(path, mode):
        return open(path, mode)


    load("x", "r")
    """
    new = "def unrelated(first, *, second=None, third=1):\n    return third"
    assert offers(text, ("a.py", "def load(path, mode):\n    return open(path, mode)", new)) == []


@pytest.mark.parametrize(
    ("text", "step", "expected"),
    [
        (
            "#- a.py\ndef f(a):\n    count = len(a)\n    g(count=count)\n    return count\n\ncount = 1\n",
            ("a.py", "count = len", "size = len"),
            ["a.py:3: g(count=size)", "a.py:4: return size"],
        ),
        (
            "#- a.js\nfunction f(rows) {\n  const n = rows.length;\n  rows.n = n;\n  return n;\n}\n",
            ("a.js", "const n =", "const size ="),
            ["a.js:3: rows.n = size;", "a.js:4: return size;"],
        ),
        (
            "#- a.go\npackage a\n\nfunc f(rows []int) int {\n\tn := len(rows)\n\treturn n\n}\n",
            ("a.go", "n :=", "size :="),
            ["a.go:5: return size"],
        ),
        (
            "#- a.rs\nfn f(rows: &[i32]) -> usize {\n    let n = rows.len();\n    n\n}\n",
            ("a.rs", "let n", "let size"),
            ["a.rs:3: size"],
        ),
    ],
    ids=["python", "javascript", "go", "rust"],
)
def test_a_local_name_is_followed_within_its_function(
    text: str, step: tuple[str, str, str], expected: list[str]
) -> None:
    assert offers(text, step) == expected


def test_a_local_name_that_is_still_given_a_meaning_is_left_alone() -> None:
    text = "#- a.py\ndef f(rows):\n    n = 1\n    for n in rows:\n        print(n)\n"
    assert offers(text, ("a.py", "n = 1", "start = 1")) == []


def test_what_a_loop_goes_over_is_not_named_by_it() -> None:
    text = "#- a.py\ndef f(rows):\n    for x in rows:\n        print(x)\n    return rows\n"
    assert offers(text, ("a.py", "x in rows", "x in rows_of(rows)")) == []
    assert offers(text, ("a.py", "for x in", "for row in")) == ["a.py:3: print(row)"]


def test_a_parameter_is_followed_in_the_body() -> None:
    text = "#- a.py\ndef f(rows, n):\n    return rows[n]\n\n\nn = f([], 2)\n"
    assert offers(text, ("a.py", "(rows, n)", "(rows, position)")) == ["a.py:2: return rows[position]"]


def test_an_imported_name_is_followed_where_it_was_used() -> None:
    text = "#- a.py\nfrom m import load\n\n\ndef f(x):\n    x.load()\n    return load(x)\n"
    assert offers(text, ("a.py", "import load", "import read")) == ["a.py:6: return ?(x)"]


CALLS = """
#- a.py
def area(width, height):
    return width * height


print(area(1, 2))
print(area(1, 2, 3))
print(area(*pair))
#- b.py
from a import area

area(
    min(1, 2),
    [3, 4][0],
)
"""


def test_calls_that_do_not_fit_a_new_signature_are_places_for_a_model() -> None:
    assert offers(CALLS, ("a.py", "(width, height)", "(width, height, unit)")) == [
        "a.py:5: print(?)",
        "b.py:3: ?",
    ]


def test_calls_that_still_fit_are_left_alone() -> None:
    assert offers(CALLS, ("a.py", "(width, height)", "(width, height, unit=1)")) == []
    assert offers(CALLS, ("a.py", "(width, height)", "(width: int, height: int)")) == []


def test_calls_of_a_name_with_overloads_are_left_alone() -> None:
    text = """
    #- a.ts
    class Mapper {
      map(a: number): number { return a; }
      map(a: number, b: number): number { return a; }
      both() { this.map(1); this.map(1, 2); }
    }
    """
    assert offers(text, ("a.ts", "map(a: number):", "map(a: number, c: string, d: string):")) == []


def test_the_call_of_a_constructor_is_the_call_of_its_class() -> None:
    text = """
    #- a.py
    class Box:
        def __init__(self, width):
            self.width = width


    Box(1)
    """
    assert offers(text, ("a.py", "(self, width)", "(self, width, height)")) == ["a.py:6: ?"]


def test_the_same_words_in_the_same_company_are_replaced_again() -> None:
    text = """
    #- a.py
    one = client.fetch_all(1)
    two = client.fetch_all(2)
    three = other[fetch_all]
    """
    assert offers(text, ("a.py", "fetch_all", "iterate")) == ["a.py:2: two = client.iterate(2)"]


def test_words_that_mean_something_in_one_function_only_stay_in_it() -> None:
    text = """
    #- a.py
    def f(request):
        signal = combined(request)
        run(request.signal_of)
        run(request.signal_of)


    def g(request):
        run(request.signal_of)
    """
    found = offers(text, ("a.py", "    run(request.signal_of)\n", "    run(signal)\n"))
    assert found == ["a.py:4: run(signal)"]


def test_the_same_words_far_away_are_left_alone_until_it_was_done_twice() -> None:
    text = "#- a.py\nx = client.fetch_all(1)\n" + "y = 0\n" * 900 + "x = client.fetch_all(2)\n" * 2
    once = ("a.py", "fetch_all(1", "iterate(1")
    assert offers(text, once) == []
    assert offers(text, once, ("a.py", "fetch_all(2", "iterate(2")) == ["a.py:903: x = client.iterate(2)"]


def test_spaces_and_numbers_are_no_pattern() -> None:
    text = '#- a.py\nx = [("weight", 5, "kind", 6)]\ny = 1\nx = [("weight", 5, "kind", 6)]\n'
    assert offers(text, ("a.py", '"weight", 5', '"weight", 7')) == []
    assert offers(text, ("a.py", '"weight", 5', '"weight",    5')) == []


def test_a_copy_of_the_line_is_changed_alike() -> None:
    text = """
    #- a.py
    def f(x):
        assert isinstance(x, int)
        return x


    def g(x):
        assert isinstance(x, int)
        return -x
    """
    step = ("a.py", "assert isinstance(x, int)", "assert isinstance(x, int), x")
    assert offers(text, step) == ["a.py:7: assert isinstance(x, int), x"]


def test_a_short_word_is_replaced_elsewhere_only_when_that_was_done_before() -> None:
    text = """
    #- a.py
    a = run(log.warn(1))
    b = run(log.warn(2))
    c = run(log.warn(3))
    """
    assert offers(text, ("a.py", "warn(1", "error(1")) == []
    found = offers(text, ("a.py", "warn(1", "error(1"), ("a.py", "warn(2", "error(2"))
    assert found == ["a.py:3: c = run(log.error(3))"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("x = 12", "x = 13"), ("# a note", "# another note"), ("x = 12\n", ""), ("y", "y + compute(1)")],
    ids=["number", "comment", "deletion", "insertion"],
)
def test_edits_that_call_for_nothing(old: str, new: str) -> None:
    text = "#- a.py\nx = 12\n# a note\ny\n\n\ndef f():\n    x = 12\n    return y\n"
    assert offers(text, ("a.py", old, new)) == []


def test_a_refused_place_is_passed_over() -> None:
    snapshot, edits = edited(workspace(SHOP).snapshot, ("shop/price.py", "total", "grand_total"))
    first, second = next_places(snapshot, edits, limit=2)
    refused = (RelPath("shop/price.py"), '    return f"{total(items)} of {len(items)}"\n')
    assert next_places(snapshot, edits, limit=1, skip=[refused]) == [second]
    assert first.path == "shop/price.py"


def test_a_text_that_went_on_without_the_log_is_not_guessed_about() -> None:
    snapshot, edits = edited(workspace(SHOP).snapshot, ("shop/price.py", "total", "grand_total"))
    moved = snapshot.edited(RelPath("shop/price.py"), "# new\n" + snapshot.text(RelPath("shop/price.py")))
    assert next_places(moved, edits) == []
    assert next_places(moved, ()) == []
