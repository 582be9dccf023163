/** What goes wrong between an app and its hub. Branch on {@link HubError.code}; messages may change, and hold no token. */
export class HubError extends Error {
  override readonly name = 'HubError';

  constructor(
    /** `hub_away`; or a finer one, which the function that throws it tells of. */
    readonly code: string,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}
