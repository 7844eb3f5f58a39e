-- What agents may get of what a server answers; policy, so revisions keep it.
ALTER TABLE "server" ADD COLUMN "answer_rules" JSONB;
