/**
 * What can go wrong.
 *
 * After these the client stays away; they are the hub's own names: `invalid_token`, `not_allowed`
 * (`invalid_origin` by an event stream), `bad_message`, `other_session`; `refused` where the hub gave no name.
 *
 * `token_failed`: getToken threw, and is asked again later. `handler_failed`: onSignedOut or the local sign-out
 * threw, or took too long in a frame, so this app is not shown as signed out. `bad_option`: an option makes no sense;
 * thrown, not told.
 */
export type SloErrorCode =
  | 'invalid_token'
  | 'not_allowed'
  | 'invalid_origin'
  | 'bad_message'
  | 'other_session'
  | 'refused'
  | 'token_failed'
  | 'handler_failed'
  | 'bad_option';

/** Everything this SDK throws or tells. Branch on {@link SloError.code}; messages may change. */
export class SloError extends Error {
  override readonly name = 'SloError';
  readonly code: SloErrorCode;

  constructor(code: SloErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
