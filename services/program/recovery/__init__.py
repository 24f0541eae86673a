"""What is taken back after a restore from `herald.people`, `herald.program` and `herald.acts`.

Events name nobody and carry no text: a person who was new comes back without a name, a lesson or a survey not at all.
What gives a right, or would happen twice, comes back: who is still with the company and may do what, who is an
ambassador, which newsletters went out, which acts count.
"""

from services.program.recovery import acts, lessons, people, programs, waves

KEPT = (*people.KEPT, *programs.KEPT, *lessons.KEPT, *waves.KEPT, *acts.KEPT)
