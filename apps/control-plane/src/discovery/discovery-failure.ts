/** Why a discovery found nothing, in words for an operator. */
export class DiscoveryFailure extends Error {
  override readonly name = 'DiscoveryFailure';
}

/** The process stops, or the server is gone: nothing is to be said of the server. */
export class DiscoveryAbandoned extends Error {
  override readonly name = 'DiscoveryAbandoned';
}
