-- On how many devices a sweep was expected to end sessions. Of those that were ordered
-- before, nobody counted: a session was a device.
alter table sweeps add column expected_devices integer not null default 0;
update sweeps set expected_devices = expected_sessions;
