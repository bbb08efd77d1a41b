"""`python -m tests.chaos`: the product's real processes, killed and frozen at random under load, and a checker.

scene      what a run is: its sizes, its seed, where it lives
system     the real parts: PostgreSQL, Valkey, web processes, Celery, worker daemons
proxy      stands between everybody and the web processes, and loses, doubles, delays and cuts
people     clients; workers are tiny workers of the harness's own, which misbehave where real ones do not
nemesis    decides, by the seed alone, what is killed or frozen when, and does it
history    what everybody was told, as append-only files
evidence   the histories and the database at the end, read; checker judges them and imports nothing of the product
"""
