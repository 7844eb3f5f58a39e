-- Since when a connection's token cannot be renewed, though its authorization server has not refused to; null while it can.
ALTER TABLE "credential_token" ADD COLUMN "failing_since" TIMESTAMPTZ(3);
ALTER TABLE "credential_token" ADD COLUMN "failure" TEXT;
