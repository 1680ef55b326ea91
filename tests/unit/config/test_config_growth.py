from balmi.config.growth import growing


def test_resources_grow_with_the_attempt():
    assert [growing(4000)(None, attempt) for attempt in (1, 2, 3)] == [4000, 8000, 12000]
