-- What a frame in a browser needs: whose demo game a guest's session is, and which game shows the draws of a game type.

alter table sessions add column visitor text;   -- of a guest: the name in the token that opened it; guests of a casino share a player
alter table game_types add column game_id bigint references games;  -- null: none is known
