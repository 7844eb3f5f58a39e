/** Why an authorization server cannot be used, in words for an operator. Repeats nothing that a server said, and no secret. */
export class OauthFault extends Error {
  override readonly name = 'OauthFault';
}
