const NOTICE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });
const MONTH = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' });

const FORMATS = { notice: NOTICE, day: DAY, month: MONTH };

export function When({ date, as }: { readonly date: Date; readonly as: keyof typeof FORMATS }) {
  return <time dateTime={date.toISOString()}>{FORMATS[as].format(date)}</time>;
}

/** From one day to another, both included; one day alone where they are the same. */
export function Days({ from, to }: { readonly from: Date; readonly to: Date }) {
  return (
    <>
      <When date={from} as="day" />
      {from.getTime() !== to.getTime() && (
        <>
          {' – '}
          <When date={to} as="day" />
        </>
      )}
    </>
  );
}

export function euros(amount: number): string {
  return amount.toLocaleString('en-GB', { style: 'currency', currency: 'EUR', maximumFractionDigits: 0 });
}

export function dayCount(days: number): string {
  return `${days} ${days === 1 ? 'day' : 'days'}`;
}
