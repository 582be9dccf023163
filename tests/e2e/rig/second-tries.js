/** So many of the stories may need a second try in one run: one beat missed in a hundred and fifty is the machine's. */
const AT_MOST = 1;

/** Names the stories that passed only the second time; where there are several of them the run has failed. */
export default class SecondTries {
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const second = tests.filter((test) => test.diagnostic()?.flaky);
    if (second.length === 0) return;
    console.log(`\nPassed only the second time:\n${second.map((test) => `  ${test.module.moduleId}: ${test.fullName}`).join('\n')}`);
    if (second.length <= AT_MOST) return;
    console.log(`That is more than ${AT_MOST}: not the machine's fault.`);
    process.exitCode = 1;
  }
}
