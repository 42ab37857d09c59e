// Money is an integer number of minor units of one currency (ISO 4217). Currencies are never added up.

export interface Money {
  readonly amountMinor: number;
  readonly currency: string;
}

/** @throws RangeError for two currencies or a sum that is not a safe integer. */
export function addMoney(a: Money, b: Money): Money {
  if (a.currency !== b.currency) throw new RangeError(`cannot add ${a.currency} and ${b.currency}`);
  const amountMinor = a.amountMinor + b.amountMinor;
  if (!Number.isSafeInteger(amountMinor)) throw new RangeError('the sum is not a safe integer');
  return { amountMinor, currency: a.currency };
}
