"""Ways to change the queries of an opening and the lists of neighbours by hand."""

from __future__ import annotations

from tampered import Copy, sha256


def another_query(copy: Copy) -> None:
    copy.change(
        lambda body: body["kind"] == "opening",
        lambda body: body["queries"][0].update(place=(body["queries"][0]["place"] + 1) % 4),
    )


def queries_of_a_chosen_class(copy: Copy) -> None:
    """The class that the draw left out takes the place of the first one."""

    def choose(body: dict) -> None:
        (left,) = set(body["classes"]) - {query["class"] for query in body["queries"]}
        body["queries"][0]["class"] = left

    copy.change(lambda body: body["kind"] == "opening", choose)


def one_list(copy: Copy, change) -> None:
    first = copy.bodies("neighbors")[0]["id"]
    copy.change(lambda body: body.get("id") == first, change)


def wrong_neighbor_made_right(copy: Copy) -> None:
    queries = copy.bodies("opening")[0]["queries"]

    def change(body: dict) -> None:
        for query, images in zip(queries, body["nearest"], strict=True):
            for image in images:
                if image["class"] != query["class"]:
                    image["class"] = query["class"]
                    return

    one_list(copy, change)


def nearer_first_right(copy: Copy) -> None:
    one_list(copy, lambda body: body["first_right"].__setitem__(0, body["first_right"][0] + 1))


def other_digest_of_a_neighbor(copy: Copy) -> None:
    one_list(copy, lambda body: body["nearest"][0][0].update(file="0" * 16))


def renamed_classes(copy: Copy) -> None:
    def rename(body: dict) -> None:
        body["classes"][0], body["classes"][1] = body["classes"][1], body["classes"][0]

    copy.change(lambda body: body["kind"] == "opening", rename)


def list_of_other_models(copy: Copy) -> None:
    def other(body: dict) -> None:
        body["spec"]["models"] = ["0" * 64]
        body["id"] = sha256({"neighbors": body["spec"]})

    one_list(copy, other)
