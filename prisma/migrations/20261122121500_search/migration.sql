-- Trusted: whoever owns the database may create it. It is in Debian's postgresql, in the official image and in the embedded build.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Texts that are looked up by their beginning are ordered by bytes, whatever language the database has.
CREATE TABLE "search_entry" (
    "id" UUID NOT NULL,
    "server_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "ref" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "words" TEXT NOT NULL,
    "title" TEXT,
    "text" TEXT NOT NULL,
    "document" tsvector NOT NULL,
    "hash" TEXT NOT NULL,

    CONSTRAINT "search_entry_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "search_dirty" (
    "id" BIGSERIAL NOT NULL,
    "server_id" UUID NOT NULL,

    CONSTRAINT "search_dirty_pkey" PRIMARY KEY ("id")
);

-- Written apart from discovery and in batches, so a list of pending entries would only slow down whoever searches.
CREATE INDEX "search_entry_document_idx" ON "search_entry" USING GIN ("document" tsvector_ops) WITH (fastupdate = off);
CREATE INDEX "search_entry_words_idx" ON "search_entry" USING GIN ("words" gin_trgm_ops) WITH (fastupdate = off);
CREATE INDEX "search_entry_ref_idx" ON "search_entry"("ref");
CREATE INDEX "search_entry_name_idx" ON "search_entry"("name");
CREATE INDEX "search_entry_server_id_idx" ON "search_entry"("server_id");

-- AddForeignKey
ALTER TABLE "search_entry" ADD CONSTRAINT "search_entry_server_id_fkey" FOREIGN KEY ("server_id") REFERENCES "server"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Whoever writes servers or definitions pays for one narrow row; what is searched in is made from them afterwards.
CREATE FUNCTION "search_note_servers"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO search_dirty (server_id) SELECT id FROM added;
  RETURN NULL;
END $$;
CREATE FUNCTION "search_note_definitions"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO search_dirty (server_id) SELECT DISTINCT server_id FROM added;
  RETURN NULL;
END $$;
CREATE FUNCTION "search_note_server"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO search_dirty (server_id) VALUES (NEW.id);
  RETURN NULL;
END $$;
CREATE FUNCTION "search_note_definition"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO search_dirty (server_id) VALUES (NEW.server_id);
  RETURN NULL;
END $$;
CREATE TRIGGER "search_note_added" AFTER INSERT ON "server" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION "search_note_servers"();
CREATE TRIGGER "search_note_added" AFTER INSERT ON "definition" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION "search_note_definitions"();
CREATE TRIGGER "search_note_changed" AFTER UPDATE OF "slug", "name", "tags", "description", "instructions", "url" ON "server" FOR EACH ROW
  WHEN ((OLD."slug", OLD."name", OLD."tags", OLD."description", OLD."instructions", OLD."url")
    IS DISTINCT FROM (NEW."slug", NEW."name", NEW."tags", NEW."description", NEW."instructions", NEW."url"))
  EXECUTE FUNCTION "search_note_server"();
CREATE TRIGGER "search_note_changed" AFTER UPDATE OF "hash" ON "definition" FOR EACH ROW
  WHEN (OLD."hash" IS DISTINCT FROM NEW."hash") EXECUTE FUNCTION "search_note_definition"();

INSERT INTO "search_dirty" ("server_id") SELECT "id" FROM "server";

-- Each word as a beginning of a word or by its English stem, all of them; words that English leaves out are left out. NULL when none is left.
-- A beginning of fewer than three letters would match too much to be worth its time.
CREATE FUNCTION "search_query"(words text[]) RETURNS tsquery LANGUAGE plpgsql STABLE AS $$
DECLARE
  word text;
  stem tsquery;
  asked tsquery;
BEGIN
  FOREACH word IN ARRAY words LOOP
    stem := plainto_tsquery('english', word);
    CONTINUE WHEN numnode(stem) = 0 AND array_length(words, 1) > 1;
    stem := to_tsquery('simple', '''' || word || '''' || CASE WHEN length(word) > 2 THEN ':*' ELSE '' END) || stem;
    asked := CASE WHEN asked IS NULL THEN stem ELSE asked && stem END;
  END LOOP;
  RETURN asked;
END $$;
