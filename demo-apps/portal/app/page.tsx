import { leaveAt, noticesAt, payslipsOf, type Notice } from '../lib/staff';
import { Days, euros, When } from '../ui/dates';
import { Inside } from '../ui/inside';

export default function Home() {
  const now = Date.now();
  return (
    <Inside title="Portal" at="/">
      {({ sub, name }) => (
        <>
          <header className="greeting">
            <h1>Good to see you, {name.split(' ')[0]}</h1>
            <p>
              You are signed in as <strong>{name}</strong>.
            </p>
          </header>
          <Glance sub={sub} now={now} />
          <section aria-labelledby="notices">
            <h2 id="notices">What is new</h2>
            <ul className="sheet">{noticesAt(now).map(noticeItem)}</ul>
          </section>
        </>
      )}
    </Inside>
  );
}

function Glance({ sub, now }: { readonly sub: string; readonly now: number }) {
  const { allowed, booked, coming } = leaveAt(now);
  const [next] = coming;
  const [latest] = payslipsOf(sub, now);
  return (
    <ul className="glance">
      {next && (
        <li>
          <a href="/leave">
            <span className="glance-name">Next time away</span>
            <strong>{next.title}</strong>
            <Days from={next.from} to={next.to} />
          </a>
        </li>
      )}
      <li>
        <a href="/leave">
          <span className="glance-name">Leave left</span>
          <strong>{allowed - booked} days</strong>
          <span>of {allowed} this year</span>
        </a>
      </li>
      {latest && (
        <li>
          <a href="/payslips">
            <span className="glance-name">Last payslip</span>
            <strong>{euros(latest.net)}</strong>
            <When date={latest.month} as="month" />
          </a>
        </li>
      )}
    </ul>
  );
}

function noticeItem({ title, text, from, at }: Notice) {
  return (
    <li className="notice" key={title}>
      <h3>{title}</h3>
      <p>{text}</p>
      <p className="fine">
        {from} · <When date={at} as="notice" />
      </p>
    </li>
  );
}
