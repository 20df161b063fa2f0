import effnet_edu as ee
from effnet_edu.labs.frame.picture import LivePicture
from effnet_edu.pictures.network import network_scene


def test_what_was_touched_is_told_each_time_and_the_room_once_it_changes():
    told, rooms = [], []
    picture = LivePicture(
        network_scene(ee.compound(0)), lambda sets, moving: told.append((sets, moving)), rooms.append
    )
    for count in (1, 2):  # as the page sends it: the same click twice
        picture.set_state({"touched": {"sets": {"phi": 3}, "moving": False, "count": count}})
    picture.set_state({"room": 1040})
    picture.set_state({"room": 1040})
    assert told == [({"phi": 3}, False)] * 2
    assert rooms == [1040]


def test_it_says_that_a_touch_is_answered_once_its_scene_was_shown():
    scenes = [network_scene(ee.compound(phi)) for phi in (0, 2)]
    picture = LivePicture(scenes[0], lambda _sets, _moving: picture.show(scenes[1]))
    changed = []
    picture.observe(lambda change: changed.append(change["name"]), ["scene", "answered"])
    picture.set_state({"touched": {"sets": {"phi": 2}, "moving": True, "count": 7}})
    assert (changed, picture.answered) == (["scene", "answered"], 7)


def test_it_shows_the_scene_as_data_and_moves_to_the_next():
    first, second = (network_scene(ee.compound(phi)) for phi in (0, 2))
    picture = LivePicture(first, lambda _sets, _moving: None)
    assert picture.get_state()["scene"] == first.as_json()
    picture.show(second)
    assert picture.get_state()["scene"] == second.as_json()


def test_the_page_gets_the_one_module_that_draws_scenes():
    state = LivePicture(network_scene(ee.compound(0)), lambda _sets, _moving: None).get_state()
    assert "export function create(host, scene" in state["_esm"]
    assert ".ee-scene .slab" in state["_css"]
