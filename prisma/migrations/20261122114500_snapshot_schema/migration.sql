-- What each node can read, what each bucket needs, and which release compiled what is published.
ALTER TABLE "node" ADD COLUMN "schema_max" INTEGER;
ALTER TABLE "snapshot_bucket" ADD COLUMN "schema" INTEGER NOT NULL DEFAULT 1;
ALTER TABLE "published_snapshot" ADD COLUMN "compile_version" INTEGER NOT NULL DEFAULT 1;
-- A policy newer than this database's that was seen elsewhere: the database was restored.
ALTER TABLE "policy_state" ADD COLUMN "ahead_epoch" INTEGER, ADD COLUMN "ahead_revision" INTEGER;
