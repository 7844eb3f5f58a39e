-- How often a call was sent to its server once more, where nothing can have run; null where it was sent once.
ALTER TABLE "audit_event" ADD COLUMN "retries" SMALLINT;
