/** A command that cannot be carried out; its text is the directive's result. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
