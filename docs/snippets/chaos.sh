Scripts/chaos --short                               # about three minutes
Scripts/chaos                                       # half an hour and a million requests: every fault, again and again
Scripts/chaos --async                               # with asynchronous replication
Scripts/chaos --minutes 10 --faults clock,kill-node # some faults
