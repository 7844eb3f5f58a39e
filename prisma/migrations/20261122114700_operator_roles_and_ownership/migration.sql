-- AlterEnum
ALTER TYPE "operator_role" ADD VALUE 'approver';
ALTER TYPE "operator_role" ADD VALUE 'viewer';

-- AlterTable
ALTER TABLE "operator" ADD COLUMN     "break_glass" BOOLEAN NOT NULL DEFAULT false;

-- The first operator has it, so that an installation with one administrator works.
UPDATE "operator" SET "break_glass" = true
    WHERE "id" = (SELECT "id" FROM "operator" WHERE "role" = 'admin' AND "enabled" ORDER BY "created_at", "id" LIMIT 1);

-- CreateTable
CREATE TABLE "agent_ownership" (
    "id" BIGSERIAL NOT NULL,
    "agent_slug" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "until" TIMESTAMPTZ(3),

    CONSTRAINT "agent_ownership_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "agent_ownership_owner_until_idx" ON "agent_ownership"("owner", "until");

-- CreateIndex
CREATE INDEX "agent_ownership_agent_slug_idx" ON "agent_ownership"("agent_slug");

-- Everybody an owner's text names: several are separated by commas or semicolons, and `Ada <ada@example.com>` is the address.
CREATE FUNCTION "owners_named"(owner text) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
  SELECT DISTINCT lower(btrim(coalesce(substring(part FROM '<([^<>]+)>'), part)))
  FROM regexp_split_to_table(normalize(coalesce(owner, ''), NFKC), '[,;]') AS part
  WHERE btrim(part) <> ''
$$;

-- By slug, not by id: an agent that is deleted and made again is the same to its owner. Kept by the database itself, so that no way of writing an
-- agent can leave it out.
CREATE FUNCTION "keep_agent_ownership"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    UPDATE agent_ownership SET until = clock_timestamp() WHERE agent_slug = OLD.slug AND until IS NULL;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO agent_ownership (agent_slug, owner, since) SELECT NEW.slug, named, clock_timestamp() FROM owners_named(NEW.owner) AS named;
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER "keep_agent_ownership_of_new" AFTER INSERT OR DELETE ON "agent" FOR EACH ROW EXECUTE FUNCTION "keep_agent_ownership"();
CREATE TRIGGER "keep_agent_ownership" AFTER UPDATE ON "agent" FOR EACH ROW
    WHEN (OLD.owner IS DISTINCT FROM NEW.owner OR OLD.slug IS DISTINCT FROM NEW.slug) EXECUTE FUNCTION "keep_agent_ownership"();

INSERT INTO "agent_ownership" ("agent_slug", "owner", "since") SELECT slug, named, created_at FROM "agent", owners_named("owner") AS named;
