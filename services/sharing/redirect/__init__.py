"""The public redirect (role `links`): short links, the clicks on them, and the policy by which clicks count."""
