// What ClickHouse answers when it says no: a code in a header, a text of a fixed form, and a status derived from the code.

/** A refusal of the front or of the engine, as ClickHouse would put it. */
export class EngineException extends Error {
  constructor(
    readonly code: number,
    detail: string,
    readonly codeName: string,
  ) {
    super(`Code: ${code}. DB::Exception: ${detail} (${codeName})`);
    this.name = 'EngineException';
  }
}

export const codes = {
  notImplemented: 48,
  syntaxError: 62,
  unknownSetting: 115,
  tooManyQueries: 202,
  sessionNotFound: 372,
  sessionIsLocked: 373,
  authenticationFailed: 516,
  requestTooLarge: 636,
  badArguments: 36,
  aborted: 236,
} as const;

const badRequest = [6, 26, 27, 36, 38, 41, 42, 43, 53, 62, 69, 70, 72, 80, 117, 130, 131, 184, 190, 215, 386, 456, 457];
const notFound = [8, 16, 46, 47, 50, 56, 60, 63, 73, 81, 115, 372];
const statuses: Readonly<Record<number, number>> = {
  ...Object.fromEntries(badRequest.map((code) => [code, 400])),
  ...Object.fromEntries(notFound.map((code) => [code, 404])),
  [codes.notImplemented]: 501,
  [codes.authenticationFailed]: 403,
  [codes.requestTooLarge]: 413,
  [codes.tooManyQueries]: 503,
  [codes.aborted]: 503,
  159: 408,
};

export function statusOf(code: number): number {
  return statuses[code] ?? 500;
}

/** The engine's own failures carry their code as a field; what is not a failure of the engine is a fault of the front. */
export function toException(error: unknown, nameOf: (code: number) => string): EngineException {
  if (error instanceof EngineException) return error;
  const message = error instanceof Error ? error.message : String(error);
  const coded = /^Code: (\d+)\. DB::Exception: (?<detail>[\s\S]*?)\s*(?:\((?<name>[A-Z][A-Z0-9_]{2,})\))?\s*$/.exec(
    message,
  );
  if (!coded) return new EngineException(1002, message, 'UNKNOWN_EXCEPTION');
  const code = Number(coded[1]);
  return new EngineException(code, coded.groups?.['detail'] ?? '', coded.groups?.['name'] ?? nameOf(code));
}
