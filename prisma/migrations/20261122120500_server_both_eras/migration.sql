-- Whether a server that speaks the newer era speaks the older one too, so that each agent can be served in its own.
ALTER TABLE "server" ADD COLUMN "both_eras" BOOLEAN NOT NULL DEFAULT false;
