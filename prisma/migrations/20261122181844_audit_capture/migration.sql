-- How what is on record of arguments and results differs from what was sent; null where it does not.
ALTER TABLE "audit_event" ADD COLUMN "arguments_capture" TEXT, ADD COLUMN "result_capture" TEXT;
-- What is kept of the calls of a server, where that is not as for all.
ALTER TABLE "server" ADD COLUMN "audit_capture" JSONB;
