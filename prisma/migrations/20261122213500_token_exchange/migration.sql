-- Credentials by which an agent's token is exchanged for one of the server's (RFC 8693).
ALTER TYPE "credential_kind" ADD VALUE 'token_exchange';
