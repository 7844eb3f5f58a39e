-- One in eleven entries is a server: whoever looks for servers by a common word would read all the others for them.
CREATE INDEX "search_entry_servers_idx" ON "search_entry" USING GIN ("document" tsvector_ops) WITH (fastupdate = off) WHERE "kind" = 'server';
