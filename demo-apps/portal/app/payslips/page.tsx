import { payslipsOf, type Payslip } from '../../lib/staff';
import { euros, When } from '../../ui/dates';
import { Inside } from '../../ui/inside';

export default function Payslips() {
  return (
    <Inside title="Payslips · Portal" at="/payslips">
      {({ sub }) => (
        <>
          <header className="greeting">
            <h1>Payslips</h1>
            <p>The last six months, in euros.</p>
          </header>
          <table className="sheet payslips">
            <thead>
              <tr>
                <th scope="col">Month</th>
                <th scope="col">Gross</th>
                <th scope="col">Paid out</th>
                <th scope="col">On</th>
              </tr>
            </thead>
            <tbody>{payslipsOf(sub, Date.now()).map(payslipRow)}</tbody>
          </table>
        </>
      )}
    </Inside>
  );
}

function payslipRow({ month, paidOn, gross, net }: Payslip) {
  return (
    <tr key={month.toISOString()}>
      <th scope="row">
        <When date={month} as="month" />
      </th>
      <td>{euros(gross)}</td>
      <td>
        <strong>{euros(net)}</strong>
      </td>
      <td>
        <When date={paidOn} as="day" />
      </td>
    </tr>
  );
}
