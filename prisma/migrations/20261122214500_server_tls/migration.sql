-- With which certificates servers are reached. The key to a client certificate is sealed under the key that nodes share.
CREATE TABLE "server_tls" (
  "id" UUID NOT NULL,
  "server_id" UUID NOT NULL,
  "version" INTEGER NOT NULL DEFAULT 1,
  "origin" TEXT NOT NULL,
  "ca" TEXT,
  "certificate" TEXT,
  "sealed" TEXT,
  "expires_at" TIMESTAMPTZ(3),
  "updated_by" TEXT NOT NULL,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "server_tls_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "server_tls_server_id_fkey" FOREIGN KEY ("server_id") REFERENCES "server" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "server_tls_server_id_key" ON "server_tls" ("server_id");
