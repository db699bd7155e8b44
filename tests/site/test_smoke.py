def test_site(portal):
    assert portal.absolute_url()
