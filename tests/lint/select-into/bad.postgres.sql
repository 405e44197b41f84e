select 1 as a into report;
