export { hangUpOn, visit, visitAbruptly, whateverWasUncaught, type AbruptVisit, type Visited } from './abrupt-visit.js';
export { freePort } from '@portcullis/local-services';
export { connectRedis } from './connect-redis.js';
export { freshDatabase, type FreshDatabase } from './fresh-database.js';
export { freshRedis } from './fresh-redis.js';
export { makeAuthority, type Authority, type Certificate } from './make-certificate.js';
export { queryDatabase, tamperWith } from './query-database.js';
export { isLongLane, provideTestServices, testServices, type TestServices } from './test-services.js';
export { PUBLIC_URL, startTokenIssuer, type TestIssuer } from './token-issuer.js';
