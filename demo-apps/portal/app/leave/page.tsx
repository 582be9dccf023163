import { leaveAt, type Absence } from '../../lib/staff';
import { dayCount, Days } from '../../ui/dates';
import { Inside } from '../../ui/inside';

const STATES = { approved: 'Approved', asked: 'Asked for' };

export default function Leave() {
  const { allowed, booked, coming } = leaveAt(Date.now());
  return (
    <Inside title="Leave · Portal" at="/leave">
      {() => (
        <>
          <header className="greeting">
            <h1>{dayCount(allowed - booked)} left this year</h1>
            <p>
              {dayCount(booked)} of {allowed} are booked.
            </p>
            <svg className="balance" viewBox={`0 0 ${allowed} 1`} preserveAspectRatio="none" aria-hidden="true">
              <rect width={booked} height="1" />
            </svg>
          </header>
          <section aria-labelledby="coming">
            <h2 id="coming">Away</h2>
            <ul className="sheet">{coming.map(absenceItem)}</ul>
          </section>
        </>
      )}
    </Inside>
  );
}

function absenceItem({ title, from, to, days, state }: Absence) {
  return (
    <li className="absence" key={title}>
      <span className={`state ${state}`}>{STATES[state]}</span>
      <h3>{title}</h3>
      <p className="fine">
        <Days from={from} to={to} /> · {dayCount(days)}
      </p>
    </li>
  );
}
