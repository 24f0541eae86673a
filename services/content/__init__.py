"""What there is to share: items with their texts by language and network, from draft to retired, and the feed
sources that they may come from; the feed of what a person may see.

Owns the topic `herald.content` (ContentSubmitted, ContentApproved, ContentRejected, ContentPublished, ContentUpdated,
ContentRetired); consumes `herald.people`, to know who calls and what they may see.
"""
