-- As for grants: each round of publishing looks up what may be asked for by the bucket of its subject.
CREATE INDEX requestable_rule_bucket_idx ON requestable_rule (policy_bucket(coalesce(agent_id, group_id)));
