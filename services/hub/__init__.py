"""The web application that people use: pages rendered here, in French and English, for ambassadors, editors, managers
and administrators. It owns sessions and nothing else, emits and consumes no event, and is the only caller of the
other services' APIs, always with the token of the person whose request it answers.
"""
