#!/usr/bin/python3
"""Stores a complaint and has it summarised, in one transaction: complain.py "The lamp came without its bulb."

Connects as libpq does (PGHOST, PGDATABASE, ...). Needs a table complaints (id, body, summary); see README.md.
"""

import json
import sys

import psycopg


def store(connection, body):
    """The complaint and its job: both or none."""
    with connection.transaction():
        (complaint,) = connection.execute("INSERT INTO complaints (body) VALUES (%s) RETURNING id", [body]).fetchone()
        (job,) = connection.execute(
            "SELECT enqueue_agent('summarise', jsonb_build_object('text', %s::text), idempotency_key => %s)",
            [body, f"complaint-{complaint}"],
        ).fetchone()
    return complaint, job


def wait_for_notice(listener, job):
    """A connection of its own that does nothing else loses no notice. The payload is {"id": ..., "status": ...}."""
    for notice in listener.notifies():
        if json.loads(notice.payload)["id"] == job:
            return


def main(body):
    with psycopg.connect(autocommit=True) as listener, psycopg.connect(autocommit=True) as connection:
        listener.execute("LISTEN agent_queue")
        complaint, job = store(connection, body)
        wait_for_notice(listener, job)
        try:
            (result,) = connection.execute("SELECT wait_agent(%s)", [job]).fetchone()
        except psycopg.Error as error:
            # AQ001 expired, AQ003 provider_error, ...: docs/guide/jobs.md
            sys.exit(f"{error.sqlstate}: {error.diag.message_primary}")
        connection.execute("UPDATE complaints SET summary = %s WHERE id = %s", [result["summary"], complaint])
        print(f"{complaint}: {result['summary']}")


if __name__ == "__main__":
    main(sys.argv[1])
