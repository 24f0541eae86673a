"""What people, feeds and other servers write where a web address should be."""

from __future__ import annotations

from hypothesis import strategies as st

# fmt: off
PIECES = st.sampled_from([
    "http", "https", "HTTPS", "ftp", "javascript", ":", "/", "//", "\\", "[", "]", "::1", "@", "?", "#", "&", "=",
    "a", "é", "ß", "☃", "xn--", "xn--é", ".", "..", "-", "_", "%2e", "%", "%zz", "99999", ":0", "127.1", "0x7f",
    "example.com", "مثال", "公司", " ", "\t", "\u00ad", "\u200d", "\ud800", "\x00", "\u202e", "a" * 64,
])
# fmt: on
WRITTEN = st.one_of(
    st.text(),
    st.lists(PIECES, max_size=12).map("".join),
    st.lists(PIECES, max_size=12).map(lambda pieces: "https://" + "".join(pieces)),
)
