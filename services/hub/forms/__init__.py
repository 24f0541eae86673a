"""Forms that lose nothing: whatever a sent form is refused for, the page that it is on is shown again with what was
typed in it.

No page takes part in this by itself. A route raises what went wrong; `answers` shows the page again, `filling` puts
into it what was typed and what is wrong, `markup` reads the page for both.
"""
