"""Mails as they leave: what they say (`layout`, `notices`), how they are put together (`message`) and signed (`dkim`),
the way to the SMTP server (`smtp`), the worker that sends what is due (`sender`), and what comes back (`reports`), also
by a mailbox (`mailbox`, `bounces`)."""
